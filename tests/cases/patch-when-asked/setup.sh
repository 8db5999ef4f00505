# A user can ask for a patch where no commit does.

. "$LIB"
begin
released v1.2.3
commit 'docs: a tutorial'
publish
