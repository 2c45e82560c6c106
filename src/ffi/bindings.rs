//! The host's structs and numbers. Made by `make bindings`; do not edit.

pub const HOST_TYPE_OUTPUT: i32 = 2;
pub const HOST_PROXY_GOLANG: i32 = 11;
pub const HOST_ERROR: i32 = 0;
pub const HOST_OK: i32 = 1;
pub const HOST_RETRY: i32 = 2;
pub const HOST_LOG_ERROR: i32 = 1;
pub const HOST_LOG_WARN: i32 = 2;
pub const HOST_LOG_INFO: i32 = 3;
pub const HOST_LOG_DEBUG: i32 = 4;
pub const HOST_LOG_TRACE: i32 = 5;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct host_registration {
    pub type_: ::core::ffi::c_int,
    pub proxy: ::core::ffi::c_int,
    pub flags: ::core::ffi::c_int,
    pub name: *mut ::core::ffi::c_char,
    pub description: *mut ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of host_registration"][::core::mem::size_of::<host_registration>() - 32usize];
    ["Alignment of host_registration"][::core::mem::align_of::<host_registration>() - 8usize];
    ["Offset of field: host_registration::type_"]
        [::core::mem::offset_of!(host_registration, type_) - 0usize];
    ["Offset of field: host_registration::proxy"]
        [::core::mem::offset_of!(host_registration, proxy) - 4usize];
    ["Offset of field: host_registration::flags"]
        [::core::mem::offset_of!(host_registration, flags) - 8usize];
    ["Offset of field: host_registration::name"]
        [::core::mem::offset_of!(host_registration, name) - 16usize];
    ["Offset of field: host_registration::description"]
        [::core::mem::offset_of!(host_registration, description) - 24usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct host_context {
    pub remote_context: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of host_context"][::core::mem::size_of::<host_context>() - 8usize];
    ["Alignment of host_context"][::core::mem::align_of::<host_context>() - 8usize];
    ["Offset of field: host_context::remote_context"]
        [::core::mem::offset_of!(host_context, remote_context) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct host_api {
    pub output_get_property: ::core::option::Option<
        unsafe extern "C" fn(
            key: *mut ::core::ffi::c_char,
            instance: *mut ::core::ffi::c_void,
        ) -> *mut ::core::ffi::c_char,
    >,
    pub input_get_property: ::core::option::Option<
        unsafe extern "C" fn(
            key: *mut ::core::ffi::c_char,
            instance: *mut ::core::ffi::c_void,
        ) -> *mut ::core::ffi::c_char,
    >,
    pub output_get_cmt_instance: ::core::option::Option<
        unsafe extern "C" fn(instance: *mut ::core::ffi::c_void) -> *mut ::core::ffi::c_void,
    >,
    pub input_get_cmt_instance: ::core::option::Option<
        unsafe extern "C" fn(instance: *mut ::core::ffi::c_void) -> *mut ::core::ffi::c_void,
    >,
    pub log_print: ::core::option::Option<
        unsafe extern "C" fn(
            level: ::core::ffi::c_int,
            file: *const ::core::ffi::c_char,
            line: ::core::ffi::c_int,
            format: *const ::core::ffi::c_char,
            ...
        ),
    >,
    pub input_log_check: ::core::option::Option<
        unsafe extern "C" fn(
            instance: *mut ::core::ffi::c_void,
            level: ::core::ffi::c_int,
        ) -> ::core::ffi::c_int,
    >,
    pub output_log_check: ::core::option::Option<
        unsafe extern "C" fn(
            instance: *mut ::core::ffi::c_void,
            level: ::core::ffi::c_int,
        ) -> ::core::ffi::c_int,
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of host_api"][::core::mem::size_of::<host_api>() - 56usize];
    ["Alignment of host_api"][::core::mem::align_of::<host_api>() - 8usize];
    ["Offset of field: host_api::output_get_property"]
        [::core::mem::offset_of!(host_api, output_get_property) - 0usize];
    ["Offset of field: host_api::input_get_property"]
        [::core::mem::offset_of!(host_api, input_get_property) - 8usize];
    ["Offset of field: host_api::output_get_cmt_instance"]
        [::core::mem::offset_of!(host_api, output_get_cmt_instance) - 16usize];
    ["Offset of field: host_api::input_get_cmt_instance"]
        [::core::mem::offset_of!(host_api, input_get_cmt_instance) - 24usize];
    ["Offset of field: host_api::log_print"]
        [::core::mem::offset_of!(host_api, log_print) - 32usize];
    ["Offset of field: host_api::input_log_check"]
        [::core::mem::offset_of!(host_api, input_log_check) - 40usize];
    ["Offset of field: host_api::output_log_check"]
        [::core::mem::offset_of!(host_api, output_log_check) - 48usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct host_plugin {
    pub name: *mut ::core::ffi::c_char,
    pub api: *mut host_api,
    pub instance: *mut ::core::ffi::c_void,
    pub context: *mut host_context,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of host_plugin"][::core::mem::size_of::<host_plugin>() - 32usize];
    ["Alignment of host_plugin"][::core::mem::align_of::<host_plugin>() - 8usize];
    ["Offset of field: host_plugin::name"][::core::mem::offset_of!(host_plugin, name) - 0usize];
    ["Offset of field: host_plugin::api"][::core::mem::offset_of!(host_plugin, api) - 8usize];
    ["Offset of field: host_plugin::instance"]
        [::core::mem::offset_of!(host_plugin, instance) - 16usize];
    ["Offset of field: host_plugin::context"]
        [::core::mem::offset_of!(host_plugin, context) - 24usize];
};
