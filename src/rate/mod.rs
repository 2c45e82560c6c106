//! What a service's log looked like so far, and what is different now: entries that are new, that
//! left their own past behind or fell silent, restarts in a loop, two deployed commits side by
//! side. Event time comes in as a value. Not here: watches, which count what somebody asked for.
