# A version file that cannot be understood.

. "$LIB"
begin
file package.json <<'END'
{
  "name": "widget",
  "version": "1.2"
}
END
released v1.2.3
commit 'fix: close the file'
publish
