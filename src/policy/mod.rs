//! Whether an action may happen: the checks, the rules that ask for one, the choice of a release, and
//! what an action led to. Pure: facts, history and time come in as values.
