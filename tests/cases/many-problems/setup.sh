# Everything that stands in the way is told at once.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
echo changed >> notes.txt
echo KEY=1 > .env
echo draft > draft.txt
publish
