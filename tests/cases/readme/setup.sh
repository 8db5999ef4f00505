# Badge and marked block of the README follow the release; its prose does not.

. "$LIB"
begin
file README.md <<'END'
# Widget ![version](https://img.shields.io/badge/version-1.2.3-blue)

Install <!-- shipway:version -->1.2.3<!-- /shipway:version -->. Since 1.2.3 it is fast.
END
released v1.2.3
commit 'fix: close the file'
publish
