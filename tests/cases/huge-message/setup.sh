# A message of 1 MiB.

. "$LIB"
begin
released v1.2.3
{ echo 'feat: a second format'; echo; head -c 1048576 /dev/zero | tr '\0' x | fold -w 80; echo; echo; echo 'BREAKING CHANGE: files are large'; } | commit_bytes
publish
