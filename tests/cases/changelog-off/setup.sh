# Neither changelog nor version file: the release is only a tag.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
