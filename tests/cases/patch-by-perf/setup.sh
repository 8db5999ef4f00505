# A faster way is a patch.

. "$LIB"
begin
released v1.2.3
commit 'perf(parser): read in one pass'
publish
