package settings

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sealer encrypts secrets at rest with AES-256-GCM. A sealed value is bound to
// its place, so that one setting's secret cannot be moved to another.
type Sealer struct {
	aead cipher.AEAD
}

const sealedVersion = 1

// NewSealer makes a sealer from a key: any text of at least 16 characters.
func NewSealer(key string) (*Sealer, error) {
	key = strings.TrimSpace(key)
	if len(key) < 16 {
		return nil, errors.New("the secret key needs at least 16 characters")
	}
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead}, nil
}

// SealerFromFile reads the key from a file that only its owner may read, and
// makes the file with a random key when it does not exist.
func SealerFromFile(path string) (*Sealer, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		raw := make([]byte, 32)
		rand.Read(raw)
		key := base64.RawStdEncoding.EncodeToString(raw)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("making the key's folder: %w", err)
		}
		// O_EXCL: of two processes that start at once, one makes the key.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return SealerFromFile(path)
		}
		if err != nil {
			return nil, fmt.Errorf("making the key file: %w", err)
		}
		_, err = f.WriteString(key + "\n")
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return nil, fmt.Errorf("writing the key file: %w", err)
		}
		return NewSealer(key)
	case err != nil:
		return nil, fmt.Errorf("the key file: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("the key file %s may be read by others (mode %04o); chmod 600 it", path, info.Mode().Perm())
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key file: %w", err)
	}
	return NewSealer(string(key))
}

// place is what a sealed value is bound to.
func place(instance, name string) []byte { return []byte(instance + "\x00" + name) }

// Seal encrypts.
func (s *Sealer) Seal(plain, place []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return s.aead.Seal(append([]byte{sealedVersion}, nonce...), nonce, plain, place), nil
}

// Open decrypts what Seal made with the same key and place.
func (s *Sealer) Open(sealed, place []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < 1+n || sealed[0] != sealedVersion {
		return nil, errors.New("this is no sealed secret")
	}
	plain, err := s.aead.Open(nil, sealed[1:1+n], sealed[1+n:], place)
	if err != nil {
		return nil, errors.New("the secret was sealed with another key; set the FLOWCTL_SECRET_KEY it was sealed with, or enter the secret again")
	}
	return plain, nil
}
