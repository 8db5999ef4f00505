# A user can ask for less than the commits do, and is told so.

. "$LIB"
begin
released v1.2.3
commit 'feat!: another format'
publish
