# An empty scope makes no type.

. "$LIB"
begin
released v1.2.3
commit 'feat(): a second format'
publish
