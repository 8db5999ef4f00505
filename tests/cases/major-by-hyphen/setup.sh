# A `BREAKING-CHANGE:` footer means the same.

. "$LIB"
begin
released v1.2.3
commit 'refactor: drop the shim

BREAKING-CHANGE: the module `compat` is gone'
publish
