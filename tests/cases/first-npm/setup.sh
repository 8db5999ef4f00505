# A package that states 1.0.0 and was never tagged is released as that.

. "$LIB"
begin
file package.json <<'END'
{
  "name": "widget",
  "version": "1.0.0"
}
END
commit 'feat: it works'
publish
