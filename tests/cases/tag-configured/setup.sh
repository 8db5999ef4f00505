# The tag format is configured.

. "$LIB"
begin
released rel/1.2.3
commit 'fix: close the file'
publish
