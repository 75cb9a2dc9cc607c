package leftover

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// jobs are the job objects of the providers that run, by the directory of each.
var jobs sync.Map // of string to windows.Handle

// Mark puts a process that was just started into a job object, and so whatever it will
// start. The system ends all of them when the only handle is closed, which it does itself
// when this process ends, however that happens.
//
// A process of the first moment, before the job is there, would be missed: a program that
// has just been loaded starts none. Where the system has no job for the process (one
// inside of a job that allows no other, before Windows 8), the provider alone is ended.
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

// assign puts the process into the job, which ends with its last handle.
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

// Left reports whether a provider of this process, or something that it started, runs.
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

// End ends what is left of a provider of this process: the processes of its job.
func End(dir string) {
	if job, ok := jobs.LoadAndDelete(dir); ok {
		_ = windows.CloseHandle(job.(windows.Handle))
	}
}
