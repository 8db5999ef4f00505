# Tags with a name go on with it.

. "$LIB"
begin
released widget-v1.2.3
commit 'fix: close the file'
publish
