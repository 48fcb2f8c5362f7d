//go:build linux || darwin

package doctor

import "syscall"

// freeBytes is what this user may still write in a folder.
func freeBytes(folder string) (free int64, known bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return 0, false
	}
	return int64(fs.Bavail) * int64(fs.Bsize), true
}
