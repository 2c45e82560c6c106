//! A process that is killed in the middle of an investigation: the next goes on where it was, and what
//! is paid again is at most the call in flight.
