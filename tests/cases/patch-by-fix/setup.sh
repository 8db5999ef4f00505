# A fix is a patch.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file' 'docs: say so'
publish
