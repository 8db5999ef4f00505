# Any type can break something.

. "$LIB"
begin
released v1.2.3
commit 'docs!: the manual is for version two' 'chore(deps)!: a newer runtime'
publish
