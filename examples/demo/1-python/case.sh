# Read by run.sh. A worker dies of an order, is started again, and dies of it again.
SERVICE=orders
LANGUAGE=Python
STORY="a queue worker that dies of one order, is started again and dies again"
NOISE="answers 502 and 503 of a payment gateway, and a warning about an exception that was caught"
