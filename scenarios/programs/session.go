// A session service that keeps its sessions in redis. The address is that of redis on this host:
// when redis goes away, each look-up is refused.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"time"
)

func say(level, text string) {
	fmt.Printf("%s %s %s\n", time.Now().UTC().Format("2006/01/02 15:04:05.000000"), level, text)
}

func look(address string, id int) error {
	call, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer call.Close()
	fmt.Fprintf(call, "GET session:%d\r\n", id)
	_, err = bufio.NewReader(call).ReadString('\n')
	return err
}

func main() {
	say("INFO", "session service up, store redis at "+os.Args[1])
	for id := 0; id < 100; id++ {
		if err := look(os.Args[1], id); err != nil {
			say("ERROR", fmt.Sprintf("session %d: redis: %v", id, err))
		} else {
			say("INFO", fmt.Sprintf("session %d found", id))
		}
		time.Sleep(250 * time.Millisecond)
	}
}
