// An echo server on Go's crypto/tls; tests/interop/peers/base.py says what the arguments mean.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"
)

const timeout = 20 * time.Second

var curves = map[string]tls.CurveID{"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384}

func main() {
	chain := flag.String("chain", "", "")
	key := flag.String("key", "", "")
	clients := flag.String("clients", "", "")
	group := flag.String("group", "", "")
	flag.Parse()

	certificate, err := tls.LoadX509KeyPair(*chain, *key)
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{
		Certificates:     []tls.Certificate{certificate},
		MaxVersion:       tls.VersionTLS12,
		CurvePreferences: []tls.CurveID{curves[*group], tls.CurveP256},
	}
	if *clients != "" {
		pem, err := os.ReadFile(*clients)
		if err != nil {
			log.Fatal(err)
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(pem)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { // end with standard input
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println("ready", listener.Addr().(*net.TCPAddr).Port)
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		if err := serve(tls.Server(client, config), client); err != nil {
			fmt.Println("failed", err)
		}
	}
}

func serve(connection *tls.Conn, client net.Conn) error {
	defer connection.Close() // sends close_notify
	client.SetDeadline(time.Now().Add(timeout))
	if err := connection.Handshake(); err != nil {
		return err
	}
	state := connection.ConnectionState()
	resumed, name := "no", "-"
	if state.DidResume {
		resumed = "yes"
	}
	if len(state.PeerCertificates) > 0 {
		name = state.PeerCertificates[0].Subject.CommonName
	}
	fmt.Printf("connected suite=%s resumed=%s client=%s\n", tls.CipherSuiteName(state.CipherSuite), resumed, name)
	_, err := io.Copy(connection, connection)
	return err
}
