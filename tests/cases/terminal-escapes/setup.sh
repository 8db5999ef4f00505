# Control characters reach neither the terminal nor the changelog.

. "$LIB"
begin
released v1.2.3
printf 'feat: \033[31mred\033[0m and \033]0;title\007 bell\b\b\r\n' | commit_bytes
printf 'fix: a \342\200\256drowssap\342\200\254 override\n' | commit_bytes
publish
