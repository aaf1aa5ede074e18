/** Loads the parsing process's module and says whether all objects could still be given new properties. */
import '../../../../lib/adapters/mime/worker.ts';

process.send?.(Object.isExtensible(Object.prototype));
