# Which characters a scope may have.

. "$LIB"
begin
released v1.2.3
commit 'fix(core/io): a' 'fix(@scope/name): b' 'fix(a.b,c): c' 'fix(größe): d' 'feat(日本): e' 'fix(two words): f'
publish
