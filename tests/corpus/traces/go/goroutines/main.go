package main

import (
	"errors"
	"time"
)

type queue[T any] struct{ items []T }

func (q *queue[T]) take() T { return q.items[0] }

func worker(done chan struct{}) {
	q := queue[string]{}
	if q.take() == "" {
		panic(errors.New("empty"))
	}
	close(done)
}

func main() {
	done := make(chan struct{})
	go func() { time.Sleep(time.Hour) }()
	time.Sleep(10 * time.Millisecond)
	go worker(done)
	<-done
}
