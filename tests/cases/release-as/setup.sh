# A `Release-As:` footer names the version.

. "$LIB"
begin
released v1.2.3
commit 'feat: the first stable format

Release-As: 2.0.0' 'fix: close the file'
publish
