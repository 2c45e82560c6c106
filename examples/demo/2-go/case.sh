# Read by run.sh. A panic in one of several goroutines ends the whole program.
SERVICE=press
LANGUAGE=Go
STORY="a label printer that panics in one of its goroutines"
NOISE="answers 503 and 504 of a carrier and warnings about them"
