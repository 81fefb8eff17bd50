// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// gobench httpd ADDRESS FOLDER: the twin of examples/httpd.
func httpdMain(address, folder string) {
	l, err := net.Listen("tcp", address)
	must(err)
	fmt.Printf("listening on %s\n", l.Addr())
	server := http.Server{Handler: http.FileServer(http.Dir(folder)),
		ReadTimeout: 30 * time.Second}
	must(server.Serve(l))
}
