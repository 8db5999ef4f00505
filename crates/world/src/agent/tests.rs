mod crash;
mod host;
mod lease;
mod release;
mod watch;
