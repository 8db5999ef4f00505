# Version files that state different versions.

. "$LIB"
begin
file package.json <<'END'
{
  "name": "@ann/widget",
  "version": "1.2.3",
  "scripts": { "test": "node --test", "build": "node build.js" },
  "dependencies": { "left": "1.2.3" }
}
END
echo 1.2.4 | file VERSION
released v1.2.3
commit 'fix: close the file'
publish
