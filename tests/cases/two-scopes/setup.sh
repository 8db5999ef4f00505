# Two scopes make no type.

. "$LIB"
begin
released v1.2.3
commit 'feat(a)(b): a second format'
publish
