# A `Release-As:` footer that names no version.

. "$LIB"
begin
released v1.2.3
commit 'feat: the first stable format

Release-As: two'
publish
