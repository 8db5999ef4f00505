# Types are read in any case.

. "$LIB"
begin
released v1.2.3
commit 'Feat: a second format' 'FIX(Core): close the file'
publish
