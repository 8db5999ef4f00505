# A message that is not UTF-8.

. "$LIB"
begin
released v1.2.3
printf 'fix: caf\351 opens\n' | commit_bytes
publish
