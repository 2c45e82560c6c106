# Read by run.sh. An error that the program catches, logs as JSON and answers with 500.
SERVICE=catalog
LANGUAGE=Node.js
STORY="a web service that answers 500 and logs the error, as JSON, with its stack"
NOISE="503 and 504 of a warehouse, each caught and logged as a warning with its stack"
