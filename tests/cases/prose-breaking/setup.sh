# Prose about a breaking change marks nothing.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file

This is not a breaking change, because nobody saw it open. A breaking change would
be one that people have to act on.'
publish
