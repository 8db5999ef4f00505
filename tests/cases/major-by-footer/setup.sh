# A `BREAKING CHANGE:` footer is a major, with its text in the changelog.

. "$LIB"
begin
released v1.2.3
commit 'fix(api): one name for one thing

The old name said nothing.

BREAKING CHANGE: `fetch` is now `get`.
Replace every call.

Both return the same.
Closes: #12'
publish
