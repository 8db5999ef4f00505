# A bullet of a squash body that asks for more than the title.

. "$LIB"
begin
released v1.2.3
commit 'fix: several things (#31)

* fix: close the file
* feat!: another format
* docs: say so'
publish
