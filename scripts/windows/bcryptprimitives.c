/* ProcessPrng is the one function that Go's runtime wants of bcryptprimitives.dll, which
   Wine 8 doesn't have. */
#include <windows.h>
#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T size)
{
	while (size > 0) {
		ULONG part = size < 0x10000000 ? (ULONG)size : 0x10000000;
		if (!RtlGenRandom(buffer, part))
			return FALSE;
		buffer += part;
		size -= part;
	}
	return TRUE;
}
