// A refund worker whose queue holds an order without a customer: a nil pointer in a goroutine.
package main

import (
	"fmt"
	"os"
	"time"
)

type customer struct{ iban string }
type order struct {
	id       int
	customer *customer
}

func transfer(o order) string {
	return o.customer.iban[:4]
}

func work(jobs <-chan order) {
	for o := range jobs {
		country := transfer(o)
		fmt.Printf("%s level=info msg=\"refunded\" order=%d bank=%s\n", now(), o.id, country)
	}
}

func now() string { return "time=" + time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func main() {
	fmt.Printf("%s level=info msg=\"refund worker started\" workers=1\n", now())
	jobs := make(chan order)
	go work(jobs)
	for id := 7000; id < 7040; id++ {
		o := order{id, &customer{"DE02120300000000202051"}}
		if id == 7025 {
			o.customer = nil
		}
		jobs <- o
		time.Sleep(400 * time.Millisecond)
	}
	os.Exit(0)
}
