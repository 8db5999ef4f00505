# An npm package with its lock file.

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
file package-lock.json <<'END'
{
  "name": "@ann/widget",
  "version": "1.2.3",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "@ann/widget",
      "version": "1.2.3",
      "dependencies": { "left": "1.2.3" }
    },
    "node_modules/left": {
      "version": "1.2.3"
    }
  }
}
END
released v1.2.3
commit 'feat: a second format'
publish
