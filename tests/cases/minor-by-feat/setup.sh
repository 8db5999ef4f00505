# A feature is a minor, whatever fixes come with it.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file' 'feat(cli): a flag for colour' 'fix(cli): its help' 'feat: a second format'
publish
