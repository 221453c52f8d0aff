// Judges chains by Go's crypto/x509: one question in JSON on each line of the input, "ok" or the error on each of the output.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

type question struct {
	Leaf    []byte   `json:"leaf"`
	Others  [][]byte `json:"others"`
	Anchors [][]byte `json:"anchors"`
	Name    string   `json:"name"`
	At      int64    `json:"at"`
	Server  bool     `json:"server"`
}

// An intermediate that cannot be read is left out, as a TLS client may; an anchor or leaf is an error.
func judge(asked question) error {
	leaf, err := x509.ParseCertificate(asked.Leaf)
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   time.Unix(asked.At, 0),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if !asked.Server {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, der := range asked.Anchors {
		anchor, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		options.Roots.AddCert(anchor)
	}
	for _, der := range asked.Others {
		if other, err := x509.ParseCertificate(der); err == nil {
			options.Intermediates.AddCert(other)
		}
	}
	if _, err = leaf.Verify(options); err != nil {
		return err
	}
	if asked.Name != "" {
		return leaf.VerifyHostname(asked.Name)
	}
	return nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		if err := judge(asked); err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok")
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
