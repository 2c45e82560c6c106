package main

import "sync"

func wait(jobs chan int, group *sync.WaitGroup) {
	defer group.Done()
	<-jobs
}

func main() {
	jobs := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < 2; i++ {
		group.Add(1)
		go wait(jobs, &group)
	}
	group.Wait()
}
