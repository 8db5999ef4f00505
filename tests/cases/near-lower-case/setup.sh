# The footer in lower case is not the footer, but almost.

. "$LIB"
begin
released v1.2.3
commit 'fix: another format

breaking change: old files cannot be read'
publish
