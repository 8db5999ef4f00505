//! Change requests and landings, from plain git to a proven branch, on a real guarded repository.

mod land;
mod review;
mod stage;
