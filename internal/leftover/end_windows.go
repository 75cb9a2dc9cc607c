package leftover

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobs maps the directories of running providers to their job objects.
var jobs sync.Map // of string to windows.Handle

// Mark puts a newly started process, and everything that it will start, into a job object.
// Windows ends all of them when the job's only handle is closed, as it is when this process
// ends for whatever reason.
//
// A process started before the job exists would escape, but a program that is still being
// loaded starts none. If Windows refuses the job (inside of a job that allows no other,
// before Windows 8), only the provider itself is ended.
func Mark(pid int, dir string) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return
	}
	if assign(job, pid) != nil {
		_ = windows.CloseHandle(job)
		return
	}
	jobs.Store(dir, job)
}

// assign puts the process into the job, which ends when its last handle is closed.
func assign(job windows.Handle, pid int) error {
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
	}
	_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		return err
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process)
	return windows.AssignProcessToJobObject(job, process)
}

// Left reports whether a provider of this process, or a process that it started, is running.
func Left(dir string) bool {
	job, ok := jobs.Load(dir)
	if !ok {
		return false
	}
	var accounting struct { // JOBOBJECT_BASIC_ACCOUNTING_INFORMATION
		_      [4]int64 // times
		_      [2]uint32
		Active uint32
		_      uint32
	}
	err := windows.QueryInformationJobObject(job.(windows.Handle), windows.JobObjectBasicAccountingInformation,
		uintptr(unsafe.Pointer(&accounting)), uint32(unsafe.Sizeof(accounting)), nil)
	return err == nil && accounting.Active > 0
}

// End ends the remaining processes in the job of a provider of this process.
func End(dir string) {
	if job, ok := jobs.LoadAndDelete(dir); ok {
		_ = windows.CloseHandle(job.(windows.Handle))
	}
}
