// Placeholder: the owner of this module deletes this file.
