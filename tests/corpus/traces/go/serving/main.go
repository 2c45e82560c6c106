package main

import (
	"fmt"
	"net"
	"net/http"
)

func price(items []int, at int) int { return items[at] }

func handler(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, price([]int{1, 2}, 5))
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(handler))
	_, err = http.Get("http://" + listener.Addr().String() + "/basket")
	fmt.Println("client saw an error:", err != nil)
}
