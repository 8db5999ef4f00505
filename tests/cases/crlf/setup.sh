# A message with CRLF means the same.

. "$LIB"
begin
released v1.2.3
printf 'fix: close the file\r\n\r\nIt was left open.\r\n\r\nBREAKING CHANGE: it is closed\r\nRefs: #7\r\n' | commit_bytes
publish
