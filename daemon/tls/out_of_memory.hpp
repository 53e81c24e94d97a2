/// The same for OpenSSL as io/out_of_memory.hpp says of all else: where it has no memory it does
/// not always return an error, but goes on without what it could not make.
#pragma once

namespace chatd::tls {

/// To be called before anything of OpenSSL is: then what `new` does without memory is done for it,
/// too. In a process that has set no handler for that, OpenSSL is told that there is no memory.
void end_when_out_of_memory();

}  // namespace chatd::tls
