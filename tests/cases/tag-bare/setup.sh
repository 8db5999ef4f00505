# Tags without a `v` go on without it.

. "$LIB"
begin
released 1.2.3
commit 'fix: close the file'
publish
