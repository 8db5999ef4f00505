# A `!` is a major.

. "$LIB"
begin
released v1.2.3
commit 'feat(api)!: no more callbacks'
publish
