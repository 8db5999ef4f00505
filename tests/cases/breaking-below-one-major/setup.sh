# Below 1.0.0 a breaking change is a major where that is configured.

. "$LIB"
begin
released v0.4.1
commit 'feat!: another format'
publish
